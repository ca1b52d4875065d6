/** The room with the agent's skills and tools. `{name}` is filled in. */
export const skills = {
  skillsTitle: "스킬과 도구",
  openSkills: "에이전트가 할 수 있는 일 보기와 추가",
  skillsBuiltIn: "OpenClaw의 도구와 스킬",
  skillsBuiltInHint: "OpenClaw가 제공하는 것입니다. 잠드는 컨테이너에서는 되지 않는 것이 있어서, 그런 것은 에이전트에게 주지 않습니다.",
  skillsWork: "여기서 됩니다 ({count})",
  skillsNot: "여기서 안 되는 것과 이유 ({count})",
  skillsSkill: "스킬",
};
