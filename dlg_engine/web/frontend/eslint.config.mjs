import js from "@eslint/js";
import ts from "typescript-eslint";

export default ts.config(js.configs.recommended, ...ts.configs.strict, {
  rules: {
    complexity: ["error", 12],
    "max-lines": ["error", 500],
    "max-lines-per-function": ["error", 60],
    "max-len": ["error", 120],
    "no-restricted-properties": [
      "error",
      { property: "innerHTML", message: "texts are only ever text" },
      { property: "outerHTML", message: "texts are only ever text" },
      { property: "insertAdjacentHTML", message: "texts are only ever text" },
    ],
    "no-console": "error",
    eqeqeq: "error",
    "@typescript-eslint/no-non-null-assertion": "error",
  },
});
