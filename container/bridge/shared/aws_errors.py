"""What a call to AWS may raise when AWS refuses it, is throttled or cannot be reached."""

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

AWS_ERRORS = (PynamoDBException, ClientError, BotoCoreError)
