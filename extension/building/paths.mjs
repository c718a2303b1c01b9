/** Where the sources are and where the built files go. */
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const extension = here("..");
export const source = here("../src");
export const style = here("../style");
export const schema = here("../schema");
export const programs = here("../build");
export const labextension = here("../../workbench/labextension");
export const widget = here("../../workbench/notebook/static");
