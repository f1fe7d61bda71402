/** @file The buttons Undo, Redo and Restore all, and the link of a lesson. */
import { commands } from '../../lab/page/app';
import { Icon } from '../parts/icons';
import { isWhole } from '../parts/names';
import { useLab } from '../parts/useLab';
import { LessonLink } from './lessonLink';

export function PlanTools() {
  const past = useLab((state) => state.past.length > 0);
  const future = useLab((state) => state.future.length > 0);
  const whole = useLab((state) => state.plan === null || (isWhole(state.plan) && state.ownWeights === null));
  return (
    <div className="tools" role="toolbar" aria-label="Plan">
      <button type="button" className="button" disabled={!past} onClick={commands.undo} title="Undo (Ctrl or ⌘ + Z)">
        <Icon name="undo" /> <span className="tool-word">Undo</span>
      </button>
      <button
        type="button"
        className="button"
        disabled={!future}
        onClick={commands.redo}
        title="Redo (Shift + Ctrl or ⌘ + Z)"
      >
        <Icon name="redo" /> <span className="tool-word">Redo</span>
      </button>
      <button type="button" className="button" disabled={whole} onClick={commands.resetPlan}>
        <Icon name="restore" /> <span className="tool-word">Restore all</span>
      </button>
      <LessonLink />
    </div>
  );
}
