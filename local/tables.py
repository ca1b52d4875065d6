"""Creates the tables that are missing, in a process of its own: models read their stage at import."""

from chalicelib import aws
from chalicelib.models import TABLES


def main() -> None:
    dynamodb = aws.client("dynamodb")
    existing = set(dynamodb.list_tables()["TableNames"])
    for model in TABLES:
        name = model.Meta.table_name
        if name in existing:
            continue
        model.create_table(wait=True)
        if "expires_at" in model.get_attributes():
            ttl = {"Enabled": True, "AttributeName": "expiresAt"}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)


if __name__ == "__main__":
    main()
