/** @file Card with what the variants answered in multiple-choice tasks; shown once one was asked. */
import { useMemo, useState } from 'react';
import { taskGroups } from '../../../report/taskGroups';
import { Segmented } from '../../parts/segmented';
import { useLab } from '../../parts/useLab';
import { ChartFrame } from '../frame/chartFrame';
import { LazyTasksChart } from '../lazy';
import { AllTasks } from './allTasks';
import { taskBars, taskNote, taskTable } from './tasksData';

export function TasksCard() {
  const comparison = useLab((state) => state.comparison);
  const [chosen, setChosen] = useState<string | null>(null);
  const groups = useMemo(() => taskGroups(comparison), [comparison]);
  const group = groups.find(({ key }) => key === chosen) ?? groups[0];
  const bars = useMemo(() => (group ? taskBars(group) : []), [group]);
  if (!group) return null;
  return (
    <section className="card tasks-card" aria-labelledby="tasks-title">
      <h2 id="tasks-title">Right answers per variant</h2>
      {groups.length > 1 && (
        <Segmented
          legend="Task"
          options={groups.map(({ key, name }) => ({ value: key, label: name }))}
          value={group.key}
          onChange={setChosen}
        />
      )}
      <p className="sub">
        {group.task} · {taskNote(group)}
      </p>
      <ChartFrame
        title={`Right answers, ${group.name}`}
        name="tasks"
        note={`${group.task} · ${taskNote(group)}`}
        table={taskTable(bars)}
      >
        <LazyTasksChart bars={bars} base={group.base?.accuracy ?? null} />
      </ChartFrame>
      {groups.length > 1 && <AllTasks groups={groups} />}
    </section>
  );
}
