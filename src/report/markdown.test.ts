import { describe, expect, test } from 'vitest';
import { recordMarkdown } from './markdown';
import { markdownLine, markdownLines, markdownTable } from './markdownText';
import type { ModelRecord } from './record';
import { randomRecord } from './testing/randomRecord';
import { syntheticComparison } from './testing/syntheticComparison';
import { askedRows, taskResult } from './testing/taskRows';

// Each was rendered once by two parsers of GitHub's Markdown, as a paragraph, in a list and in a table's cell: the same text comes back.
describe('texts of others stay text', () => {
  test.each([
    ['# head', '\\# head'],
    ['**bold** `code`', '\\*\\*bold\\*\\* \\`code\\`'],
    ['<img src=x onerror=alert(1)>', '\\<img src=x onerror=alert(1)\\>'],
    ['[a](http://x)', '\\[a\\](http\\://x)'],
    ['www.x.y', 'www\\.x.y'],
    ['@user a@b.c #12', '@<!-- -->user a@<!-- -->b.c #<!-- -->12'],
    ['1. one', '1\\. one'],
    ['- item', '\\- item'],
    ['a | b', 'a \\| b'],
    ['&lt; $x$', '\\&lt; \\$x\\$'],
    ['Taylor+ 20 %, −1.5', 'Taylor+ 20 %, −1.5'],
  ])('%s', (text, expected) => {
    expect(markdownLine(text)).toBe(expected);
  });

  test('a title is one line; notes keep their lines and paragraphs, without indents', () => {
    expect(markdownLine(' two\n lines ')).toBe('two lines');
    expect(markdownLines('one\n===\n\n\n    code\r\n```\n')).toBe('one\n\\===\n\ncode\n\\`\\`\\`');
  });

  test('characters that turn the direction of text are written out', () => {
    expect(markdownLine('a\u202eb')).not.toContain('\u202e');
  });
});

const record: ModelRecord = {
  ...randomRecord(1),
  title: 'My *class*',
  notes: 'We cut.\n\n<script>',
  comparison: syntheticComparison('demo'),
};

test('a report has title, notes, link, model, variants, scores and protocol', () => {
  const text = recordMarkdown(record, { link: 'https://host/page/#s1.aB_-9' });
  expect(
    text.startsWith('# My \\*class\\*\n\nWe cut.\n\n\\<script\\>\n\n[Open the report](https://host/page/#s1.aB_-9)\n'),
  ).toBe(true);
  const headings = text.match(/^## .*/gm);
  expect(headings?.slice(0, 3)).toEqual(['## Model', '## Variants', '## Which one wins where']);
  expect(headings?.at(-1)).toBe('## Protocol');
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  expect(rows).toContain(
    '| SLEB 20 % | blocks 2 4 7 | 1888544 | 22.7 % | 1.927 | 311.4 ± 6.2 ms | 1.24× (1.23 to 1.25) |',
  );
  expect(rows).toContain('| original model | – | 2443136 | 0 % | 1.838 | 383.2 ± 7.7 ms | – |');
  expect(text).toContain('- Perplexity: Taylor+ 20 %, ReplaceMe is best with 1.893');
  expect(text).toContain('its times mean nothing');
});

test('tasks have a table with the difference from the original model, and their questions in the protocol', () => {
  const [base, first, second, ...others] = syntheticComparison('demo');
  const asked = [...askedRows([base!, first!]), { ...second!, tasks: [taskResult('a|b.jsonl', 3, { items: 7 })] }];
  const text = recordMarkdown({ ...record, comparison: [...asked, ...others] });
  expect(text).toContain(
    [
      '| Variant | story-endings, 100 questions | a\\|b.jsonl, 7 questions |',
      '| :-- | --: | --: |',
      '| original model | 90 ± 3 %; 89 % | – |',
      '| Taylor+ 20 % | 86 ± 3.5 % (−4); 85 % | – |',
      `| ${second!.name} | – | 42.9 ± 20.2 %; 28.6 % |`,
    ].join('\n'),
  );
  expect(text).toContain('- Tasks: 100 of story-endings, tokens questions of story-endings; 7 of a\\|b.jsonl');
});

test('every table of every record has as many cells in each row as in its head', () => {
  for (let seed = 0; seed < 8; seed++) {
    for (const table of recordMarkdown(randomRecord(seed)).matchAll(/(?:^\|.*\n)+/gm)) {
      const counts = table[0]
        .trim()
        .split('\n')
        .map((line) => line.match(/(?<!\\)\|/g)?.length);
      expect(new Set(counts).size).toBe(1);
    }
  }
});

test('a record without any measurement is a model and a protocol', () => {
  const empty = { ...record, comparison: [], scores: [], calibration: null, device: null };
  expect(recordMarkdown(empty).match(/^## .*/gm)).toEqual(['## Model', '## Protocol']);
});

test('the first column of a table is on the left', () => {
  expect(markdownTable(['a', 'b'], [['1', '2']])).toBe('| a | b |\n| :-- | --: |\n| 1 | 2 |');
});
