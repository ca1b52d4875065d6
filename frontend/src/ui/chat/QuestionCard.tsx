import { useId, useState, type ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import type { Question, QuestionPart } from "../../protocol/frames";
import { useSession } from "../context";

type Answers = Record<string, string[]>;

const DECISIONS: Record<string, TextKey> = { "allow-once": "allowOnce", "allow-always": "allowAlways", deny: "deny" };

/** What the agent asks, and what became of it. Whoever answers first, here or elsewhere, every place shows it. */
export function QuestionCard({ question }: { question: Question }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const title = useId();
  const approval = question.kind === "approval";
  const open = question.state === "open";
  const answer = (answers: Answers | null) => {
    if (!client.answer(question.id, answers)) client.tell({ code: "OFFLINE", message: text("questionOffline") });
  };
  return (
    <div role="group" className="question" aria-labelledby={title} data-testid="question" data-state={question.state}>
      <h3 id={title}>{text(approval ? "approvalTitle" : "questionTitle")}</h3>
      {approval && <Command question={question} />}
      {!open && !approval && question.parts.map((part) => <p key={part.id} dir="auto">{part.text}</p>)}
      {open && (approval
        ? <Decisions part={question.parts[0]} onAnswer={answer} />
        : <Form question={question} onAnswer={answer} />)}
      {open ? <Until at={question.expiresAt} /> : <End question={question} />}
    </div>
  );
}

function Command({ question }: { question: Question }): ReactNode {
  const text = useText();
  return (
    <>
      <pre className="command" tabIndex={0} aria-label={text("approvalCommand")} data-testid="command"><code>{question.command}</code></pre>
      <p className="muted">
        {question.directory && <>{text("approvalWhere", { directory: question.directory })} </>}{text("approvalConsequence")}
      </p>
      {question.warning && <p className="note-error" dir="auto">{question.warning}</p>}
    </>
  );
}

function Decisions({ part, onAnswer }: { part: QuestionPart | undefined; onAnswer(answers: Answers): void }): ReactNode {
  const text = useText();
  if (!part) return null;
  return (
    <div className="choices">
      {part.options.map(({ label }) => {
        const key = DECISIONS[label];
        return (
          <button key={label} type="button" className="button" data-testid={`decision-${label}`} onClick={() => onAnswer({ [part.id]: [label] })}>
            {key ? text(key) : label}
          </button>
        );
      })}
    </div>
  );
}

function Form({ question, onAnswer }: { question: Question; onAnswer(answers: Answers | null): void }): ReactNode {
  const text = useText();
  const [answers, setAnswers] = useState<Answers>({});
  const [own, setOwn] = useState<Record<string, string>>({});
  const { parts } = question;
  const [only] = parts;
  const oneTap = parts.length === 1 && only?.multi === false;
  const all = Object.fromEntries(parts.map((part) => [part.id, filled(part, answers[part.id] ?? [], own[part.id] ?? "")]));
  const complete = parts.every((part) => (all[part.id] ?? []).length > 0);
  const choose = (part: QuestionPart, label: string) => {
    if (oneTap) return onAnswer({ [part.id]: [label] });
    const known = answers[part.id] ?? [];
    const ticked = known.includes(label) ? known.filter((one) => one !== label) : [...known, label];
    setAnswers({ ...answers, [part.id]: part.multi ? ticked : [label] });
    if (!part.multi) setOwn({ ...own, [part.id]: "" });
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (complete) onAnswer(all); }}>
      {parts.map((part) => (
        <Part
          key={part.id} part={part} oneTap={oneTap} chosen={answers[part.id] ?? []} own={own[part.id] ?? ""}
          onChoose={(label) => choose(part, label)} onOwn={(value) => setOwn({ ...own, [part.id]: value })}
        />
      ))}
      <div className="choices">
        {(!oneTap || only?.other) && <button type="submit" className="button primary" disabled={!complete} data-testid="question-send">{text("questionSend")}</button>}
        <button type="button" className="button" data-testid="question-skip" onClick={() => onAnswer(null)}>{text("questionSkip")}</button>
      </div>
    </form>
  );
}

/** One's own words take the place of a single choice, and join a multiple one. */
function filled(part: QuestionPart, chosen: string[], own: string): string[] {
  const words = own.trim();
  if (!words) return chosen;
  return part.multi ? [...chosen, words] : [words];
}

interface PartProps {
  part: QuestionPart;
  oneTap: boolean;
  chosen: string[];
  own: string;
  onChoose(label: string): void;
  onOwn(value: string): void;
}

function Part({ part, oneTap, chosen, own, onChoose, onOwn }: PartProps): ReactNode {
  const text = useText();
  const name = useId();
  return (
    <fieldset>
      <legend dir="auto">{part.text}</legend>
      <div className={oneTap ? "choices column" : "options"}>
        {part.options.map((option) => oneTap
          ? (
            <button key={option.label} type="button" className="button choice" data-testid="question-option" onClick={() => onChoose(option.label)}>
              <span dir="auto">{option.label}{option.description && <small>{option.description}</small>}</span>
            </button>
          ) : (
            <label key={option.label}>
              <input
                type={part.multi ? "checkbox" : "radio"} name={name} data-testid="question-option" checked={chosen.includes(option.label)}
                onChange={() => onChoose(option.label)}
              />
              <span dir="auto">{option.label}{option.description && <small>{option.description}</small>}</span>
            </label>
          ))}
      </div>
      {part.other && (
        <div className="field">
          <input
            type="text" dir="auto" maxLength={2000} value={own} aria-label={text("questionOwn")} placeholder={text("questionOwn")}
            data-testid="question-own" onChange={(event) => onOwn(event.target.value)}
          />
        </div>
      )}
    </fieldset>
  );
}

function Until({ at }: { at: number }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const time = new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(at);
  return <p className="muted">{text("questionUntil", { time })}</p>;
}

const ENDS: Record<Exclude<Question["state"], "open">, TextKey> = {
  chosen: "questionChosen", answered: "questionAnswered", cancelled: "questionCancelled", expired: "questionExpired", gone: "questionGone",
};

function End({ question }: { question: Question }): ReactNode {
  const text = useText();
  if (question.state === "open") return null;
  const given = Object.values(question.answers ?? {}).map((values) => values.map((one) => {
    const key = question.kind === "approval" ? DECISIONS[one] : undefined;
    return key ? text(key) : one;
  }).join(", ")).join("; ");
  const where = question.by === "telegram" ? ` (${text("questionByTelegram")})` : "";
  return (
    <p className="question-end" role="status" data-testid="question-end" dir="auto">
      {given && <><strong>{given}</strong>{where} · </>}{text(ENDS[question.state])}
    </p>
  );
}
