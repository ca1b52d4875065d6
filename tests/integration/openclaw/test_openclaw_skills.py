"""The skills that OpenClaw ships, as our code reads them."""

from chalicelib.agents.frontmatter import frontmatter
from local import tools


def test_openclaws_own_skills_can_be_read() -> None:
    """Their frontmatter is what people take as a model."""
    found = list((tools.find().openclaw.parent / "skills").glob("*/SKILL.md"))
    assert len(found) > 40
    for file in found:
        head = frontmatter(file.read_text())
        assert (head["name"], len(head["description"]) > 20) == (file.parent.name, True)
