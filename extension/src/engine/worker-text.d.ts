/** The bundled worker as text: the build makes it, see building/bundle.mjs. */
declare module "workbench:worker" {
  const text: string;
  export default text;
}
