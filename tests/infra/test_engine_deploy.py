"""`RUNTIME=microvm make deploy`, with its outside replaced as in test_deploy.py."""

from ops.deployment import engine
from ops.names import ORDER, stack_name
from tests.infra.test_deploy import STAGE, World, cloud, world

__all__ = ["cloud", "world"]  # fixtures


def test_the_second_engine_has_an_image_of_its_own(world: World) -> None:
    """A layer on the agent's image, made anew only when that has changed; a later run that is told nothing keeps it."""
    assert world.run({"ANTHROPIC_API_KEY": "sk-secret", "RUNTIME": "microvm"}) == 0
    assert world.stacks.made == [stack_name(STAGE, noun) for noun in ORDER]  # type: ignore[attr-defined]
    asked = world.parameters("microvm")
    code = world.cloud.client("s3").get_object(Bucket="data", Key=asked["CodeKey"])["Body"].read()
    assert code == engine.archive(f"{world.cloud.parameters()['storage/repository-uri']}:tag")
    assert world.told["RUNTIME"] == "microvm"
    assert world.run({}) == 0
    assert world.parameters("microvm") == asked
