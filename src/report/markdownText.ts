/** @file Texts that others wrote, as Markdown that reads as the same text: no markup, link, mention or HTML comes of it. Pure. */
import { readable } from '../errors';

/** Characters that begin markup anywhere in a line. '&' begins an entity, '$' a formula on GitHub. */
const marks = /[\\`*_[\]<>|~&$!^{}]/g;
/** Beginnings of a line that make it a heading, a list, a quote, a rule, a fence or a heading's underline. */
const blockStart = /^(\s*)([#>+\-=]|\d+(?=[.)]))/;

/** One line. A backslash stands before each character that would be markup. */
export function markdownLine(text: string, longest = 1000): string {
  return plainLine(readable(text.replaceAll(/\s+/g, ' ').trim(), longest));
}

/** Several lines: line ends stay, indents go (an indented line would be code), empty lines part paragraphs. */
export function markdownLines(text: string, longest = 10_000): string {
  return readable(text.replaceAll(/\r\n?/g, '\n'), longest)
    .split('\n')
    .map((line) => plainLine(line.trim()))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function plainLine(line: string): string {
  return (
    line
      .replace(marks, '\\$&')
      .replace(blockStart, (_, indent: string, mark: string) =>
        /\d/.test(mark) ? `${indent}${mark}\\` : `${indent}\\${mark}`,
      )
      // Addresses become links by themselves: 'www.' and '://' are parted by a backslash.
      .replaceAll(/:(?=\/\/)/g, '\\:')
      .replaceAll(/\b(www|mailto|xmpp)([.:])/gi, '$1\\$2')
      // GitHub reads '@name' and '#1' after the markup: an empty comment parts them, and mail addresses too.
      .replaceAll(/@(?=\S)/g, '@<!-- -->')
      .replaceAll(/#(?=\d)/g, '#<!-- -->')
  );
}

/** A table of GitHub's Markdown. The cells are Markdown already. The first column is aligned to the left, the others to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? ':--' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
