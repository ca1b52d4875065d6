// What the pretend agent says. A few words in the question choose a story.

const SAMPLE = `Here is a **short tour** of what an answer can hold.

## A list

1. First, a numbered point with \`inline code\`
2. Then a [link](https://example.com/) and ~~a slip~~
   - with a nested point
   - and another
3. Done

| Step | Takes | Note |
|:--|--:|:--|
| Container | 21 s | Fargate Spot |
| Agent | 6 s | boots while memory is restored |
| First word | 1.4 s | from the model |

\`\`\`python
from dataclasses import dataclass

@dataclass(frozen=True)
class Lease:
    """Who may write, until when."""
    generation: int
    until: float = 0.0

    def holds(self, now: float) -> bool:
        return now < self.until  # a lease that ran out holds nothing
\`\`\`

> A quoted thought, set apart from the rest.

- [x] restore the memory
- [ ] answer the question

한국어와 日本語 도 잘 보입니다. <b>Raw HTML stays text</b> & so do entities: &copy; &lt;ok&gt;.

![a picture](https://example.com/picture.png)
`;

function long() {
  let text = "# A long report\n\n";
  for (let i = 1; text.length < 50_000; i += 1) {
    text += `## Part ${i}\n\nThis paragraph has **bold**, *italic* and \`code\`, and it goes on for a while so that the part has some weight to it, as reports do.\n\n`;
    text += `- point one of ${i}\n- point two with a [link](https://example.com/${i})\n\n`;
    text += `\`\`\`js\nexport const part${i} = (value) => value * ${i}; // computed\nconsole.log(part${i}(${i}));\n\`\`\`\n\n`;
    text += `| a | b |\n|---|---|\n| ${i} | ${i * i} |\n\n`;
  }
  return text;
}

function split(text, size) {
  const points = [...text];
  const pieces = [];
  for (let at = 0; at < points.length; at += size) pieces.push(points.slice(at, at + size).join(""));
  return pieces;
}

export function answerFor(question) {
  if (/long/.test(question)) return { pieces: split(long(), 500), everyMs: 100 };
  if (/slow/.test(question)) return { pieces: split(SAMPLE, 6), everyMs: 100 };
  if (/short/.test(question)) return { pieces: ["Forty-", "two."] };
  return { pieces: split(SAMPLE, 24) };
}
