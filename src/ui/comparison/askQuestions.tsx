/** @file The button that asks every variant of the comparison the built-in multiple-choice questions. */
import { commands } from '../../lab/page/app';
import { questionsToAsk, unasked } from '../../lab/page/commands/questions';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';

export function AskQuestions() {
  const task = useTask('questions');
  const comparison = useLab((state) => state.comparison);
  const tokenizer = useLab((state) => state.model?.tokenizer ?? false);
  const items = useLab(questionsToAsk);
  if (task.phase === 'running') {
    return <ProgressBar label="Asking the built-in questions" progress={task.progress} taskKey="questions" />;
  }
  const left = tokenizer ? unasked(comparison, items).length : 0;
  return (
    <div className="ask-questions">
      {task.phase === 'failed' && <FailureNote title="The questions could not be asked" failure={task.failure} />}
      <button type="button" className="button" disabled={left === 0} onClick={() => void commands.askQuestions()}>
        Ask the built-in questions
      </button>
      <span className="hint">
        {left === 0 && tokenizer
          ? `Every model here has answered the ${items} questions.`
          : `How does a held-out story go on? ${items} questions with four answers each; guessing gives 25 %.`}
        {!tokenizer && ' They need a model with a tokenizer.'}
      </span>
    </div>
  );
}
