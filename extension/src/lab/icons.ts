import { LabIcon } from "@jupyterlab/ui-components";

/** JupyterLab colours what has the class. */
const picture = (shapes: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">${shapes}</svg>`;

/** Three operations and the edges between them. */
export const graphIcon = new LabIcon({
  name: "workbench:graph",
  svgstr: picture(
    '<path class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="1.3" ' +
      'd="M5 5.2v1.6l6 2.4v1.2M11 5.2v1.6l-6 2.4v1.2"/>' +
      '<path class="jp-icon3" fill="#616161" ' +
      'd="M2 2h6v3.4H2zM9.5 2H14v3.4H9.5zM2 10.6h6V14H2zM9.5 10.6H14V14H9.5z"/>',
  ),
});

/** A curve of loss. */
export const runsIcon = new LabIcon({
  name: "workbench:runs",
  svgstr: picture(
    '<path class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="1.3" ' +
      'd="M2.2 2v11.8H14M4.2 3.6c.8 4.6 2 6.6 4 7.2 1.7.5 3.4.5 5 .5"/>',
  ),
});

/** Three machines. */
export const poolIcon = new LabIcon({
  name: "workbench:pools",
  svgstr: picture(
    '<path class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="1.3" ' +
      'd="M2.2 2.4h11.6v3.2H2.2zM2.2 6.4h11.6v3.2H2.2zM2.2 10.4h11.6v3.2H2.2z"/>' +
      '<path class="jp-icon3" fill="#616161" ' +
      'd="M4 3.4h1.4v1.2H4zM4 7.4h1.4v1.2H4zM4 11.4h1.4v1.2H4z"/>',
  ),
});
