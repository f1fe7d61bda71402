/** @file Every task in one table: a row for each variant, a column for each task. */
import type { TaskGroup } from '../../../report/taskGroups';
import { plural } from '../../parts/format';
import { allTasks } from './tasksData';

export function AllTasks({ groups }: { groups: readonly TaskGroup[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Right answers in every task, scrolls sideways">
      <table className="table slim">
        <caption className="sr-only">Right answers in every task</caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            {groups.map(({ key, name, items }) => (
              <th scope="col" key={key} title={plural(items, 'question')}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {allTasks(groups).map(({ variant, name, cells }) => (
            <tr key={variant}>
              <th scope="row">{name}</th>
              {cells.map((cell, at) => (
                <td key={groups[at]!.key}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
