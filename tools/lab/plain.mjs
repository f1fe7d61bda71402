/** @file Text for a terminal: what a model or a file says must not move the cursor, clear the screen or turn the line. */

/** Control characters but line ends and tabs, and marks that turn the direction of a text, written out. */
export function plain(text) {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );
}
