/** @file What a variant answered in multiple-choice tasks, in a cell of the comparison's table. */
import type { TaskResult } from '../../report/results';
import { integer, percent } from '../parts/format';
import { producedBy } from '../parts/names';

/** '84.0 %' and '± 3.7': the share of right answers and its standard error, in hundredths. */
export function TaskCell({ results, span }: { results: readonly TaskResult[]; span: number }) {
  return (
    <td rowSpan={span} data-label="tasks">
      {results.length === 0 && '–'}
      {results.map(({ task, items, accuracy, accuracyNorm, standardError, device }) => (
        <div
          key={task}
          title={`${task}: ${integer(items)} questions, ${percent(accuracyNorm)} right per character of the answers; ${producedBy(device)}`}
        >
          {percent(accuracy)} <span className="soft">± {(100 * standardError).toFixed(1)}</span>
          <div className="soft cell-note task-name">{task}</div>
        </div>
      ))}
    </td>
  );
}
