/** @file When the strip's columns are narrow. Pure. */

/** With this many blocks or more, the cells are too narrow for a word. */
const narrowFrom = 20;

export function isNarrow(layers: number): boolean {
  return layers >= narrowFrom;
}
