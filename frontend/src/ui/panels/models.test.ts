import { describe, expect, it } from "vitest";
import { translator } from "../../i18n";
import { isGone, modelOptions } from "./models";

describe("the models of a conversation", () => {
  const text = translator("en");
  const models = [{ id: "openai/small", name: "small" }, { id: "anthropic/large", name: "large", default: true }];

  it("begin with the model of the settings, by name", () => {
    expect(modelOptions({ model: null, models }, undefined, text)).toEqual([
      ["", "As in Settings (anthropic/large)"], ["openai/small", "openai/small"], ["anthropic/large", "anthropic/large"],
    ]);
    expect(modelOptions({ model: "openai/typed", models }, undefined, text)[0]).toEqual(["", "As in Settings (openai/typed)"]);
  });
  it("are there before the first start too", () =>
    expect(modelOptions({ model: null, models: [] }, undefined, text)).toEqual([["", "As in Settings (Default)"]]));
  it("have what is set now, also when it is not offered", () => {
    expect(modelOptions({ model: null, models }, "openai/small", text)).toHaveLength(3);
    expect(modelOptions({ model: null, models }, "gone/x", text).at(-1)).toEqual(["gone/x", "gone/x"]);
  });
  it("are gone with their provider only", () => {
    expect(isGone({ model: null, models }, "gone/x")).toBe(true);
    expect(isGone({ model: null, models }, "openai/not-listed")).toBe(false);
    expect(isGone({ model: null, models: [] }, "gone/x")).toBe(false);
  });
});
