import { createRoot } from "react-dom/client";
import "./styles/base.css";
import "./styles/forms.css";
import "./styles/layout.css";
import "./styles/chat.css";
import "./styles/markdown.css";
import "./styles/panels.css";
import { App } from "./ui/App";
import { applyTheme, preferences } from "./ui/preferences";

applyTheme(preferences.theme());
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
