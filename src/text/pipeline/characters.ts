/** @file Classes of characters as Rust's standard library and Hugging Face's tokenizers have them. */

const whiteSpace = /^\p{White_Space}$/u;
const numeric = /^\p{N}$/u;
const punctuation = /^[\p{P}!-/:-@[-`{-~]$/u;
const other = /^[\p{Cc}\p{Cf}\p{Co}\p{Cs}]$/u;

export const isWhiteSpace = (character: string): boolean => whiteSpace.test(character);
export const isNumeric = (character: string): boolean => numeric.test(character);
/** Of ASCII, symbols count too. */
export const isPunctuation = (character: string): boolean => punctuation.test(character);
/** Control, format, private use. */
export const isOther = (character: string): boolean => other.test(character);

/** `\w` of Rust's regular expressions. */
export const wordClass = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';

export function isChinese(character: string): boolean {
  const code = character.codePointAt(0)!;
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x20000 && code <= 0x2a6df) ||
    (code >= 0x2a700 && code <= 0x2b73f) ||
    (code >= 0x2b740 && code <= 0x2b81f) ||
    (code >= 0x2b920 && code <= 0x2ceaf) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0x2f800 && code <= 0x2fa1f)
  );
}

/** GPT-2's stand-ins for the 256 bytes: printable ones are themselves, the others follow from U+0100 on. */
export const byteCharacters: readonly string[] = (() => {
  let next = 256;
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const bytesOfCharacters = new Map(byteCharacters.map((character, byte) => [character, byte]));
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The stand-ins of a text's UTF-8 bytes. */
export function asByteCharacters(text: string): string {
  let made = '';
  for (const byte of encoder.encode(text)) made += byteCharacters[byte];
  return made;
}

/** The bytes that a token's characters stand for; the token's own where one of them stands for none. */
export function bytesOfToken(token: string): number[] | Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = bytesOfCharacters.get(character);
    if (byte === undefined) return encoder.encode(token);
    bytes.push(byte);
  }
  return bytes;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of bytes; what is no UTF-8 becomes U+FFFD, a byte order mark stays. */
export function textOfBytes(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The token of a byte as sentencepiece writes it. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}
