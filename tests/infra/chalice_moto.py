"""moto as an AWS that `chalice deploy` can use: `python -m tests.infra.chalice_moto` prints its port.

moto takes only OpenAPI 3, wants fields that Chalice leaves out, and cannot deploy a WebSocket API.
So this tests our configuration, handlers, policies and the plan, not API Gateway's behaviour.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from moto.apigateway.models import APIGatewayBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

Json = dict[str, Any]
DEPLOYMENTS = re.compile(r"/v2/apis/[^/]+/deployments/?$")


def openapi(document: Json) -> Json:
    """Chalice's Swagger 2 as the OpenAPI 3 that moto reads."""
    document.pop("swagger", None)
    document["openapi"] = "3.0.1"
    document["info"].setdefault("description", "")
    for path in document["paths"].values():
        for method in path.values():
            integration = method.get("x-amazon-apigateway-integration")
            if integration is not None:
                integration.setdefault("uri", "arn:aws:apigateway:us-east-1:mock")
                integration.setdefault("httpMethod", "POST")
    return document


def patch() -> None:
    kept_import, kept_put = APIGatewayBackend.import_rest_api, APIGatewayBackend.put_rest_api

    def import_rest_api(self: Any, api_doc: Json, fail_on_warnings: bool) -> Any:
        return kept_import(self, openapi(api_doc), False)

    def put_rest_api(self: Any, function_id: str, api_doc: Json, fail_on_warnings: bool, mode: str = "merge") -> Any:
        return kept_put(self, function_id, openapi(api_doc), False, mode)

    APIGatewayBackend.import_rest_api = import_rest_api
    APIGatewayBackend.put_rest_api = put_rest_api


class Quiet(WSGIRequestHandler):  # type: ignore[misc]
    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        return


def main() -> int:
    patch()
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: Json, start: Callable[..., Any]) -> Iterable[bytes]:
        if DEPLOYMENTS.match(environ["PATH_INFO"]):
            start("201 Created", [("Content-Type", "application/json")])
            return [json.dumps({"deploymentId": "d1", "deploymentStatus": "DEPLOYED"}).encode()]
        answer: Iterable[bytes] = moto(environ, start)
        return answer

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
