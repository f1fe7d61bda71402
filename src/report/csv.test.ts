import { expect, test } from 'vitest';
import { csvColumns, recordCsv } from './csv';
import { randomRecord } from './testing/randomRecord';
import { syntheticComparison } from './testing/syntheticComparison';
import { askedRows } from './testing/taskRows';

/** Reads CSV by RFC 4180's grammar. */
function parsed(csv: string): string[][] {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  const rows: string[][] = [];
  let row: string[] = [];
  while (field.lastIndex < csv.length) {
    const at = field.lastIndex;
    const match = field.exec(csv);
    if (!match) throw new Error(`No field at ${at}: ${csv.slice(at, at + 40)}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

const asObjects = (csv: string): Record<string, string>[] => {
  const [head, ...rows] = parsed(csv);
  return rows.map((row) => Object.fromEntries(head!.map((name, index) => [name, row[index]!])));
};

const record = { ...randomRecord(1), widthScores: [], comparison: syntheticComparison('demo') };

test('one row per variant and measurement, with every digit', () => {
  const rows = asObjects(recordCsv(record));
  for (const { variant, ratio, perplexity, latency } of record.comparison) {
    const own = rows.filter(
      (row) => row['variant'] === variant && row['measurement'] !== 'score' && row['name'] !== '',
    );
    expect(own.map(({ measurement }) => measurement)).toEqual([
      'size',
      ...Object.keys(perplexity).map(() => 'perplexity'),
      ...latency.map(() => 'latency'),
    ]);
    expect(Number(own[0]?.['removed_share'])).toBe(ratio);
    expect(Number(own[1]?.['mean_nll'])).toBe(perplexity.wgsl?.meanNll);
    const last = latency.at(-1)!;
    expect(Number(own.at(-1)?.['latency_ms'])).toBe(last.latencyMs);
    expect(own.at(-1)?.['speed_up_low']).toBe(last.speedUp === undefined ? '' : String(last.speedUp.low));
  }
});

test('what a variant answered in a task is a row', () => {
  const comparison = askedRows(record.comparison.slice(0, 2));
  const rows = asObjects(recordCsv({ ...record, comparison })).filter((row) => row['measurement'] === 'task');
  expect(rows.map((row) => [row['variant'], row['task'], row['items'], row['accuracy']])).toEqual(
    comparison.map(({ variant, tasks }) => [variant, 'story-endings', '100', String(tasks![0]!.accuracy)]),
  );
  const { standardError, accuracyNorm, hash } = comparison[1]!.tasks![0]!;
  expect(rows[1]).toMatchObject({
    ...{ accuracy_norm: String(accuracyNorm), accuracy_standard_error: String(standardError), items_hash: hash },
    ...{ runtime: 'WGSL engine', adapter: 'a test', software_adapter: 'false', measured_in_ms: '1500' },
  });
});

test('every row of every record has a cell for each column, and every score a row', () => {
  for (let seed = 0; seed < 4; seed++) {
    const random = randomRecord(seed);
    const [head, ...rows] = parsed(recordCsv(random));
    expect(head).toEqual([...csvColumns]);
    for (const row of rows) expect(row).toHaveLength(csvColumns.length);
    const scores = rows.filter((row) => row[csvColumns.indexOf('measurement')] === 'score');
    const values = scores.map((row) => Number(row[csvColumns.indexOf('score')]));
    expect(values).toEqual(random.scores.flatMap((each) => each.scores));
  }
});

test.each([
  ['=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['  =1', "'  =1"],
  ['\t=1', "'\t=1"],
  ['＝1', "'＝1"],
  ['a, "b"\nc', 'a, "b"\nc'],
  ['−1.5', '−1.5'],
])('a spreadsheet runs no name as a formula: %j', (name, expected) => {
  const [base] = record.comparison;
  const rows = asObjects(recordCsv({ ...record, scores: [], comparison: [{ ...base!, name }] }));
  expect(rows[0]?.['name']).toBe(expected);
});

test('a negative number stays a number', () => {
  const [found] = randomRecord(0).scores.concat(record.scores);
  const rows = asObjects(recordCsv({ ...record, comparison: [], scores: [{ ...found!, scores: [-0.5] }] }));
  expect(rows[0]?.['score']).toBe('-0.5');
});
