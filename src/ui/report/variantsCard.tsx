/** @file All variants of a report with every number, and how each was made. */
import type { ModelRecord } from '../../report/record';
import { ComparisonTable, useBatches } from '../comparison/comparisonTable';
import { TableNotes } from '../comparison/protocol';
import { recipeWords } from './recipeWords';

export function VariantsCard({ record }: { record: ModelRecord }) {
  const { comparison, model } = record;
  const { batch, choice } = useBatches(comparison);
  const made = comparison.filter(({ variant }) => variant !== 'base');
  if (comparison.length === 0) return null;
  const nameOf = (id: string): string | undefined => comparison.find(({ variant }) => variant === id)?.name;
  return (
    <section className="card comparison" aria-labelledby="variants-title">
      <div className="bar">
        <h2 id="variants-title">Every number</h2>
        <span className="spring" />
        {choice}
      </div>
      <ComparisonTable comparison={comparison} batch={batch} />
      <TableNotes rows={comparison} />
      {made.length > 0 && (
        <section className="recipes" aria-labelledby="recipes-title">
          <h3 id="recipes-title">How each variant was made</h3>
          <dl>
            {made.map((row) => {
              const parent = row.parent !== null && row.parent !== 'base' ? nameOf(row.parent) : undefined;
              return (
                <div key={row.variant}>
                  <dt>{row.name}</dt>
                  <dd>
                    {parent !== undefined && <p>Made from “{parent}”.</p>}
                    {recipeWords(row, model.shape).map((words, index) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: steps are told in their order
                      <p key={index}>{words}</p>
                    ))}
                  </dd>
                </div>
              );
            })}
          </dl>
        </section>
      )}
    </section>
  );
}
