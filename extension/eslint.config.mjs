import typescript from "typescript-eslint";

export default typescript.config(
  { ignores: ["build/", "node_modules/"] },
  {
    files: ["building/**/*.ts", "src/**/*.ts", "test/**/*.ts", "bench/**/*.ts"],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off", // indices of typed arrays
      "@typescript-eslint/no-redundant-type-constituents": "off", // "NaN" | string says more
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      eqeqeq: "error",
      "no-console": ["error", { allow: ["warn", "error"] }],
      "prefer-const": "error",
    },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "no-console": "off",
      // Node's test() gives a promise that its runner awaits.
      "@typescript-eslint/no-floating-promises": "off",
    },
  },
);
