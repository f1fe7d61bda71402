/** @file The slide with what the variants answered in the task that the most of them were asked. */
import { useMemo } from 'react';
import { LazyTasksChart } from '../charts/lazy';
import { barRoom } from '../charts/sizes';
import { chosenTaskBars, taskBars, taskNote } from '../charts/tasks/tasksData';
import { useLab } from '../parts/useLab';
import { Enlarged, SlideFrame } from './frame';
import { askedMost } from './slides';

export function TasksSlide() {
  const comparison = useLab((state) => state.comparison);
  const group = useMemo(() => askedMost(comparison), [comparison]);
  const bars = useMemo(() => (group ? taskBars(group) : []), [group]);
  if (!group) return null;
  return (
    <SlideFrame title={`Right answers in ${group.task}`} note={`${taskNote(group)}.`}>
      <Enlarged
        draw={({ height }) => {
          const most = Math.max(2, Math.floor((height - 40) / barRoom));
          return <LazyTasksChart bars={chosenTaskBars(bars, most)} base={group.base?.accuracy ?? null} />;
        }}
      />
    </SlideFrame>
  );
}
