/** @file All variants with everything measured about them: one row per variant and runtime, at one batch size. */
import { type ReactNode, useMemo, useState } from 'react';
import { shownVariant } from '../../lab/page/shownVariant';
import type { ComparisonRow } from '../../report/results';
import { integer } from '../parts/format';
import { runtimeNames } from '../parts/names';
import { useReadOnly } from '../parts/readOnly';
import { Segmented } from '../parts/segmented';
import { useLab } from '../parts/useLab';
import { AskQuestions } from './askQuestions';
import { Protocol } from './protocol';
import { cacheTokens, type Sorting, type SortKey, scoredRuntimes, sorted, tableRows, timedBatches } from './tableData';
import { shortRuntime, VariantRows } from './variantRows';

export function ComparisonStage() {
  const comparison = useLab((state) => state.comparison);
  const batches = useBatches(comparison);
  const variants = comparison.filter(({ variant }) => variant !== 'base');
  return (
    <section className="card comparison" id="comparison" aria-labelledby="comparison-title" tabIndex={-1}>
      <div className="bar">
        <h2 id="comparison-title">Comparison</h2>
        {variants.length > 0 && <span className="bar-note">{variants.length + 1} models</span>}
        <span className="spring" />
        {batches.choice}
      </div>
      {comparison.length > 0 && <ComparisonTable comparison={comparison} batch={batches.batch} />}
      {variants.length === 0 && (
        <p className="quiet-line">
          No variant yet. <a href="#blocks">Cut a block</a>, then press “Benchmark this variant”: it gets a row here
          below the original model.
        </p>
      )}
      {comparison.length > 0 && <AskQuestions />}
      {comparison.length > 0 && <Protocol rows={comparison} />}
    </section>
  );
}

/** The batch size that the table shows, null for all of them, and the buttons that choose it. */
export function useBatches(comparison: readonly ComparisonRow[]): { batch: number | null; choice: ReactNode } {
  const [chosen, setChosen] = useState<string | null>(null);
  const batches = timedBatches(comparison);
  const batch = chosen === 'all' ? null : (batches.find((each) => String(each) === chosen) ?? batches[0] ?? null);
  const choice = batches.length > 1 && (
    <Segmented
      legend="Batch size of the table"
      options={[
        ...batches.map((each) => ({ value: String(each), label: `batch ${each}` })),
        { value: 'all', label: 'all' },
      ]}
      value={batch === null ? 'all' : String(batch)}
      onChange={setChosen}
    />
  );
  return { batch, choice };
}

/** Every number of every variant, at one batch size or at all of them (null). */
export function ComparisonTable({ comparison, batch }: { comparison: readonly ComparisonRow[]; batch: number | null }) {
  const current = useLab(shownVariant);
  const readOnly = useReadOnly();
  // A report without times needs no columns for them.
  const timed = !readOnly || comparison.some(({ latency }) => latency.length > 0);
  const base = useLab((state) => state.model?.shape ?? null);
  const variants = useLab((state) => state.variants);
  // A report has a table of its own for tasks.
  const asked = !readOnly && comparison.some(({ tasks = [] }) => tasks.length > 0);
  const [sorting, setSorting] = useState<Sorting>({ key: 'kind', descending: false });
  const rows = useMemo(() => {
    const shapes = new Map(variants.map(({ id, shape }) => [id, shape]));
    return sorted(tableRows(comparison, base, shapes, batch), sorting);
  }, [comparison, base, variants, batch, sorting]);
  const repaired = rows.some(({ repair }) => repair !== '–');
  const scored = useMemo(() => scoredRuntimes(comparison), [comparison]);
  const column = (key: SortKey, label: string, title?: string) => (
    <SortHead key={key} sortKey={key} label={label} title={title} sorting={sorting} onSort={setSorting} />
  );
  const tokens = base ? `Key/value cache of one sequence of ${integer(cacheTokens(base))} tokens in float32` : '';
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Comparison, scrolls sideways">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">variant</th>
            {column('kind', 'kind', 'What it removes: depth is blocks and sub-blocks, width is heads and neurons')}
            {repaired && (
              <th scope="col" className="words">
                repair
              </th>
            )}
            <th scope="col" className="words">
              removed
            </th>
            {column('kept', 'kept', 'Share of the parameters')}
            {column('cache', 'KV cache', tokens)}
            {scored.length === 0 && <th scope="col">perplexity</th>}
            {scored.map((runtime, index) =>
              index === 0 ? (
                column('perplexity', `perplexity ${shortRuntime[runtime]}`, runtimeNames[runtime])
              ) : (
                <th scope="col" key={runtime} title={runtimeNames[runtime]}>
                  {shortRuntime[runtime]}
                </th>
              ),
            )}
            {asked && (
              <th scope="col" title="Right answers in multiple-choice questions, with the standard error">
                tasks
              </th>
            )}
            {timed && (
              <>
                <th scope="col">timed by</th>
                {column('decode', 'decode/token')}
                {column('latency', 'latency ± sd')}
                {column('speedUp', 'speed-up')}
                <th scope="col" title="throughput: new tokens per second">
                  tok/s
                </th>
              </>
            )}
            {!readOnly && (
              <th scope="col">
                <span className="sr-only">actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((each) => (
            <VariantRows
              key={each.row.variant}
              entry={each}
              rows={sorting.key === 'kind' ? rows : []}
              scored={scored}
              timed={timed}
              repaired={repaired}
              asked={asked}
              now={each.row.variant === current}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface SortHeadProps {
  sortKey: SortKey;
  label: string;
  title: string | undefined;
  sorting: Sorting;
  onSort: (sorting: Sorting) => void;
}

/** The head of a column that sorts the rows: a second press turns the order. */
function SortHead({ sortKey, label, title, sorting, onSort }: SortHeadProps) {
  const active = sorting.key === sortKey;
  const sort = active ? (sorting.descending ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" aria-sort={sort}>
      <button
        type="button"
        className="sort"
        title={title}
        onClick={() => onSort({ key: sortKey, descending: active && !sorting.descending })}
      >
        {label}
        <span aria-hidden="true">{active ? (sorting.descending ? ' ▼' : ' ▲') : ''}</span>
      </button>
    </th>
  );
}
