/** @file The button that shows the page's numbers as slides on the whole screen; Alt+P does the same. */
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { Boundary } from '../parts/boundary';
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';
import { startsPresentation } from './keys';

const Presentation = lazy(() => import('./presentation'));

interface Props {
  /** Address of the report that is shown; in the laboratory the last slide makes a link. */
  link?: string;
}

export function PresentButton({ link }: Props) {
  const isOpen = useLab((state) => state.model !== null);
  const [shown, setShown] = useState(false);
  const close = useCallback(() => setShown(false), []);
  useEffect(() => {
    if (!isOpen) return;
    const press = (event: KeyboardEvent): void => {
      if (!startsPresentation(event) || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      setShown(true);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [isOpen]);
  if (!isOpen) return null;
  return (
    <>
      <button
        type="button"
        className="button header-action"
        aria-haspopup="dialog"
        aria-keyshortcuts="Alt+P"
        title="Show as slides on the whole screen (Alt+P)"
        onClick={() => setShown(true)}
      >
        <Icon name="present" /> Present
      </button>
      {shown && (
        <Boundary title="The slides could not be shown">
          <Suspense fallback={null}>
            <Presentation {...(link === undefined ? {} : { link })} onClose={close} />
          </Suspense>
        </Boundary>
      )}
    </>
  );
}
