/** The room with the agent's skills and tools. `{name}` is filled in. */
export const skills = {
  skillsTitle: "Skills and tools",
  openSkills: "See what your agent can do, and add to it",
  skillsBuiltIn: "OpenClaw's tools and skills",
  skillsBuiltInHint: "What OpenClaw brings along. Some of it cannot work in a container that sleeps, so your agent is not offered it.",
  skillsWork: "Works here ({count})",
  skillsNot: "Not here, and why ({count})",
  skillsSkill: "skill",
};
