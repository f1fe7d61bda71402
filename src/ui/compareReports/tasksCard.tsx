/** @file What the variants of several reports answered to the same questions, in one table a task. */
import type { ComparedTask } from '../../report/comparedTasks';
import type { ModelRecord } from '../../report/record';
import { pointsText, shareText } from '../charts/tasks/tasksData';
import { percent, plural } from '../parts/format';
import { deviceOf } from './points';

export function ComparedTasksCard({
  tasks,
  records,
}: {
  tasks: readonly ComparedTask[];
  records: readonly ModelRecord[];
}) {
  if (tasks.length === 0) return null;
  return (
    <section className="card" aria-labelledby="compared-tasks-title">
      <h2 id="compared-tasks-title">What did the variants answer?</h2>
      <p className="sub">
        Share of right answers ± standard error, and the difference from the original model of the same report.
      </p>
      {tasks.map((task) => (
        <TaskTable key={task.key} task={task} records={records} />
      ))}
    </section>
  );
}

function TaskTable({
  task: { task, items, model, rows },
  records,
}: {
  task: ComparedTask;
  records: readonly ModelRecord[];
}) {
  const title = `${task}, ${plural(items, 'question')}, ${model.id.replace(/^hf:/, '')}`;
  return (
    <>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label={title}>
        <table className="table compared-table">
          <caption className="sr-only">{title}</caption>
          <thead>
            <tr>
              <th scope="col">variant</th>
              <th scope="col">report</th>
              <th scope="col">device</th>
              <th scope="col">kept</th>
              <th scope="col">right answers</th>
              <th scope="col">against the original</th>
              <th scope="col">right by length</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ report, row, result, change }) => (
              <tr key={`${report} ${row.variant}`}>
                <th scope="row">{row.variant === 'base' ? 'original model' : row.name}</th>
                <td>{report + 1}</td>
                <td>{deviceOf(records[report]!)}</td>
                <td>{percent(1 - row.ratio)}</td>
                <td>{shareText(result)}</td>
                <td>{change === null ? '–' : pointsText(change)}</td>
                <td>{percent(result.accuracyNorm)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
