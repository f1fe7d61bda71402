/** @file Copies the link of a lesson: model, criterion and plan, without results. */
import { useEffect, useState } from 'react';
import { commands } from '../../lab/page/app';
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';

/** What the button says once it was pressed, for so long. */
const saysMs = 4000;

export function LessonLink() {
  const link = useLab(() => commands.lessonLink());
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), saysMs);
    return () => clearTimeout(timer);
  }, [said]);

  async function copy(): Promise<void> {
    if (link === null) return;
    try {
      await navigator.clipboard.writeText(link);
      setSaid(`Copied: ${link.length} characters`);
    } catch {
      // The address bar has it all the same.
      setSaid('Copy it from the address bar');
    }
  }

  return (
    <button
      type="button"
      className="button"
      disabled={link === null}
      onClick={() => void copy()}
      title={
        link === null
          ? 'An address holds no heads or neurons that were chosen by hand, no repaired weights, and no files of this device.'
          : 'A link that opens this model with this criterion and this plan, without results'
      }
    >
      <Icon name="link" />{' '}
      <span className="tool-word" aria-live="polite">
        {said ?? 'Copy lesson link'}
      </span>
    </button>
  );
}
