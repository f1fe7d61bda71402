/** @file Options of `npm run lab` for what a run leaves behind: reports, tables and exported variants. */
import { exportFormats } from '../../src/export/formats.ts';

const formatIds = exportFormats.map(({ id }) => id);

export const outputHelp = `Output: progress on stderr, tables on stdout
  --json FILE           also write the report as JSON; with - the report alone goes to stdout
  --report FILE         also write the report as a file that the page opens
  --markdown FILE       also write the report as Markdown      --csv FILE   its numbers as CSV
  --share ADDRESS       also print a link that opens the report on the page at ADDRESS, e.g. https://you.github.io/secateur/
  --title TEXT          title of the report                     --notes TEXT your words beside it
  --export LIST         write each variant as ${formatIds.join(', ')};
                        a type behind a colon, e.g. gguf:q8_0. Without variants, the original model
  --out DIR             folder of the exported files (default: export)
  --quiet               no progress
  --help
`;

export const outputSpecification = {
  json: { type: 'string' },
  report: { type: 'string' },
  markdown: { type: 'string' },
  csv: { type: 'string' },
  share: { type: 'string' },
  title: { type: 'string' },
  notes: { type: 'string' },
  export: { type: 'string' },
  out: { type: 'string' },
};

/** Formats of `--export`, each with a type where one is given. */
function exportsOf(text, UsageError) {
  return text.split(',').map((part) => {
    const [id, dtype, ...more] = part.trim().split(':');
    const format = exportFormats.find((each) => each.id === id);
    if (!format) throw new UsageError(`--export: expected one of ${formatIds.join(', ')}; got '${id}'.`);
    if (dtype === undefined) return { format: id };
    if (more.length > 0 || !format.dtypes.includes(dtype)) {
      const types = format.dtypes.length > 0 ? `one of ${format.dtypes.join(', ')}` : 'no type';
      throw new UsageError(`--export ${id}: expected ${types}, got '${[dtype, ...more].join(':')}'.`);
    }
    return { format: id, dtype };
  });
}

function pageOf(text, UsageError) {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/[?#].*$/s, '');
  throw new UsageError(`--share: expected the address of a page, such as https://host/secateur/; got '${text}'.`);
}

/** The outputs that a command line asks for. */
export function readOutputs(values, UsageError) {
  if (values.out !== undefined && values.export === undefined) {
    throw new UsageError('--out is the folder of exported files: give --export too.');
  }
  const { json, report, markdown, csv, title, notes } = values;
  return {
    json,
    report,
    markdown,
    csv,
    words: { ...(title === undefined ? {} : { title }), ...(notes === undefined ? {} : { notes }) },
    share: values.share === undefined ? null : pageOf(values.share, UsageError),
    exports: values.export === undefined ? [] : exportsOf(values.export, UsageError),
    out: values.out ?? 'export',
  };
}

/**
 * Folder of one variant's files below `--out`; names of variants hold anything.
 * @param {{ name: string, index: number, several: boolean }} variant
 * @param {{ format: string, dtype?: string }} choice
 */
export function folderOf({ name, index, several }, { format, dtype }) {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  const type = dtype === undefined ? format : `${format}-${dtype}`;
  return several ? `${index}-${plain || 'variant'}/${type}` : type;
}
