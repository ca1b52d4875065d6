"""The CDK add-on: what Chalice does not make. `python -m cdk.app` writes the templates."""
