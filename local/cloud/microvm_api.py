"""The API of Lambda MicroVMs over HTTP. Every request and every answer is held against botocore's model of it."""

import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import botocore.session
from botocore import xform_name

from local.cloud.microvm import VERSION, Image, Machine, Machines, Refused

Json = dict[str, Any]
Environ = dict[str, Any]
Start = Callable[..., Any]
PREFIX = "/2025-09-09/"
REQUEST = "request"
KINDS = {"string": str, "boolean": bool, "integer": int, "timestamp": datetime}


class NotOfTheModel(Exception):
    """What the stand-in was about to answer, AWS would not."""


class Api:
    """The operations that this project uses; any other is refused."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._model = botocore.session.get_session().get_service_model("lambda-microvms")
        self._operations = [self._model.operation_model(name) for name in self._model.operation_names]

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        try:
            operation, asked = self._read(environ)
            status, answer = operation.http.get("responseCode", 200), self._do(operation, asked)
            headers = []
        except Refused as error:
            shape = self._model.shape_for(error.code)
            status, answer = shape.metadata["error"]["httpStatusCode"], {"message": str(error)}
            headers = [("x-amzn-errortype", error.code)]
        start(f"{status} {'OK' if status < 400 else 'Error'}", [("Content-Type", "application/json"), *headers])
        return [json.dumps(answer, default=lambda at: at.timestamp()).encode()]

    def named(self, environ: Environ) -> str:
        """The operation's name; empty if there is none of it."""
        found = self._match(environ)
        return str(found[0].name) if found is not None else ""

    def _match(self, environ: Environ) -> tuple[Any, Json] | None:
        """The operation, and its parameters in the path."""
        for operation in self._operations:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.http["requestUri"])
            match = re.fullmatch(pattern, environ["PATH_INFO"])
            if match is not None and operation.http["method"] == environ["REQUEST_METHOD"]:
                return operation, match.groupdict()
        return None

    def _read(self, environ: Environ) -> tuple[Any, Json]:
        """The operation, and its parameters wherever the request has them. Raises Refused."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        found = self._match(environ)
        if found is None:
            raise Refused("ValidationException", "there is no such operation")
        operation, named = found
        asked = {**named, **_query(operation, environ), **json.loads(body or b"{}")}
        wrong = list(differences(operation.input_shape, asked, REQUEST))
        if wrong:
            raise Refused("ValidationException", "; ".join(wrong))
        return operation, asked

    def _do(self, operation: Any, asked: Json) -> Json:
        method = getattr(self, f"_{xform_name(operation.name)}", None)
        if method is None:
            raise Refused("AccessDeniedException", f"the stand-in has no {operation.name}")
        answer: Json = {name: value for name, value in method(asked).items() if value is not None}
        wrong = list(differences(operation.output_shape, answer, operation.name))
        if wrong:
            raise NotOfTheModel("; ".join(wrong))
        return answer

    def _create_microvm_image(self, asked: Json) -> Json:
        kept = {name: value for name, value in asked.items() if name != "clientToken"}
        return kept | _image(self._machines.create_image(asked)) | {"imageVersion": VERSION}

    def _get_microvm_image(self, asked: Json) -> Json:
        return _image(self._machines.image(asked["imageIdentifier"]))

    def _run_microvm(self, asked: Json) -> Json:
        return _whole(self._machines.run(asked))

    def _get_microvm(self, asked: Json) -> Json:
        return _whole(self._machines.get(asked["microvmIdentifier"]))

    def _list_microvms(self, asked: Json) -> Json:
        found = self._machines.listed(asked.get("imageIdentifier"))
        first, most = int(asked.get("nextToken", 0)), asked.get("maxResults", 50)
        more = str(first + most) if len(found) > first + most else None
        return {"items": [_item(machine) for machine in found[first : first + most]], "nextToken": more}

    def _suspend_microvm(self, asked: Json) -> Json:
        self._machines.suspend(asked["microvmIdentifier"])
        return {}

    def _resume_microvm(self, asked: Json) -> Json:
        self._machines.resume(asked["microvmIdentifier"])
        return {}

    def _terminate_microvm(self, asked: Json) -> Json:
        self._machines.terminate(asked["microvmIdentifier"])
        return {}


def _query(operation: Any, environ: Environ) -> Json:
    given = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", "")))
    shapes = operation.input_shape.members
    return {name: int(text) if shapes[name].type_name == "integer" else text for name, text in given.items()}


def _image(image: Image) -> Json:
    ready = VERSION if image.state == "CREATED" else None
    named = {"imageArn": image.arn, "name": image.asked["name"], "state": image.state, "createdAt": image.created}
    return named | ({"latestActiveImageVersion": ready} if ready else {})


def _item(machine: Machine) -> Json:
    image = {"imageArn": machine.image.arn, "imageVersion": VERSION}
    return {"microvmId": machine.name, "state": machine.state, "startedAt": machine.started, **image}


def _whole(machine: Machine) -> Json:
    more = {"endpoint": f"https://{machine.name}.invalid", "maximumDurationInSeconds": machine.seconds}
    role = {"executionRoleArn": machine.asked.get("executionRoleArn"), "stateReason": machine.reason}
    return _item(machine) | more | role


def differences(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What a value has that its shape does not allow, and the other way round."""
    if shape.type_name == "structure":
        yield from (f"{path} has no member {name}" for name in value if name not in shape.members)
        yield from (f"{path} misses {name}" for name in shape.required_members if name not in value)
        for name in set(value) & set(shape.members):
            yield from differences(shape.members[name], value[name], f"{path}.{name}")
        return
    if shape.type_name == "map":
        for name, part in value.items():
            yield from differences(shape.key, name, f"{path} key")
            yield from differences(shape.value, part, f"{path}[{name}]")
    elif shape.type_name == "list":
        for part in value:
            yield from differences(shape.member, part, f"{path}[]")
    elif not isinstance(value, KINDS[shape.type_name]):
        yield f"{path} is no {shape.type_name}"
        return
    yield from _limits(shape, value, path)


def _limits(shape: Any, value: Any, path: str) -> Iterator[str]:
    size = value if shape.type_name == "integer" else len(value) if hasattr(value, "__len__") else None
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if size is not None and ((least is not None and size < least) or (most is not None and size > most)):
        yield f"{path} is not between {least} and {most}"
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{path} is none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        # A pattern is not anchored ("NonBlank" is one). What we ask is held against it as a whole, to be sure.
        matches = re.fullmatch if path.startswith(REQUEST) else re.search
        if pattern and not matches(pattern, value):
            yield f"{path} does not match {pattern}"
