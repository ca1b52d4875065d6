import type { Language } from "../../i18n";
import list from "./abilities.json";

/** A tool or a bundled skill of OpenClaw. `why`: what it does, or why it is not offered (ops/abilities.py writes the list). */
export interface Ability { kind: string; name: string; works: boolean; why: string }
export const ABILITIES: readonly Ability[] = list;

export const KOREAN: Record<string, string> = {
  "there is one agent": "에이전트가 하나뿐입니다",
  "changes several files": "파일 여러 개를 바꿉니다",
  "asks the person, with buttons on the page and in Telegram": "페이지와 텔레그램에서 버튼으로 물어봅니다",
  "reminds and repeats, also while nobody is there": "아무도 없을 때도 알리고 반복합니다",
  "there is no screen, browser, phone or other node in a container": "컨테이너에는 화면, 브라우저, 휴대폰 같은 기기가 없습니다",
  "no provider of it is set up": "제공자가 설정되어 있지 않습니다",
  "OpenClaw has no channels here: this service carries every message": "여기서는 OpenClaw에 채널이 없고, 모든 메시지를 이 서비스가 전달합니다",
  "sets a goal": "목표를 정합니다",
  "it is for OpenClaw's own console: nothing of it reaches the chat": "OpenClaw 자체 콘솔용이라 대화에는 아무것도 나타나지 않습니다",
  "changes files": "파일을 바꿉니다",
  "runs commands in the agent's own container, as its own user": "에이전트의 컨테이너에서 에이전트 사용자로 명령을 실행합니다",
  "this service starts, configures and stops OpenClaw": "OpenClaw의 시작, 설정, 종료는 이 서비스가 맡습니다",
  "reads the goal": "목표를 읽습니다",
  "nobody has signed in to GitHub here": "GitHub에 로그인되어 있지 않습니다",
  "a heartbeat says what it has to say in words, and those arrive": "하트비트는 할 말을 글로 하고, 그 글이 전달됩니다",
  "nothing of it reaches the person yet": "아직 사용자에게 전달되지 않습니다",
  "reads notes": "메모를 읽습니다",
  "finds notes": "메모를 찾습니다",
  "says something at once, outside of the answer": "답변과 별도로 바로 말합니다",
  "setup and repair belong to the deployment": "설치와 수리는 배포에서 합니다",
  "looks after background commands": "백그라운드 명령을 관리합니다",
  "shows how far it is": "진행 상황을 보여 줍니다",
  "reads files": "파일을 읽습니다",
  "secrets belong to the deployment, and the agent gets none": "비밀 값은 배포에 있고, 에이전트는 받지 않습니다",
  "model, time and context of the conversation": "대화의 모델, 시간, 컨텍스트를 알려 줍니다",
  "groups, names and archives conversations inside OpenClaw": "OpenClaw 안에서 대화를 묶고, 이름 짓고, 보관합니다",
  "reads a conversation": "대화를 읽습니다",
  "lists conversations": "대화 목록을 봅니다",
  "searches conversations": "대화를 검색합니다",
  "starts a helper that reports when it is done": "끝나면 보고하는 도우미를 시작합니다",
  "waits for helpers that it has started": "시작한 도우미를 기다립니다",
  "proposes skills": "스킬을 제안합니다",
  "looks after helpers": "도우미를 관리합니다",
  "calls a tool": "도구를 호출합니다",
  "shows a tool's parameters": "도구의 매개변수를 보여 줍니다",
  "finds a tool": "도구를 찾습니다",
  "closes the goal": "목표를 마칩니다",
  "looks at a picture in the workspace": "작업 공간의 그림을 봅니다",
  "reads a web page": "웹 페이지를 읽습니다",
  "writes files": "파일을 씁니다",
  "it needs a program that is not in the container": "컨테이너에 없는 프로그램이 필요합니다",
  "it works on a Mac only": "Mac에서만 됩니다",
  "it needs devices in your own network": "집이나 사무실 네트워크의 기기가 필요합니다",
  "skills from ClawHub are installed in the room Skills and tools": "ClawHub의 스킬은 스킬과 도구 화면에서 설치합니다",
  "nobody has shown yet that it works here": "여기서 되는지 아직 확인되지 않았습니다",
  "it needs a key for a service, and none is set up": "서비스 키가 필요한데 설정되어 있지 않습니다",
  "writes and repairs skills": "스킬을 만들고 고칩니다",
  "tries an idea out with a throwaway prototype": "버릴 시제품으로 아이디어를 시험합니다",
  "tells the weather": "날씨를 알려 줍니다",
};

export function why(ability: Ability, language: Language): string {
  return language === "ko" ? KOREAN[ability.why] ?? ability.why : ability.why;
}
