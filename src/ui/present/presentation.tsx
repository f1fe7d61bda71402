/** @file The page's numbers as slides for a projector, on the whole screen. The numbers keep updating. Escape leaves. */
import './present.css';
import { type KeyboardEvent, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { Icon } from '../parts/icons';
import { useFullScreen } from '../parts/useFullScreen';
import { LabStoreContext } from '../parts/useLab';
import { BatchesSlide, ImportanceSlide, QualitySlide, SidesSlide, SpeedSlide } from './chartSlides';
import { ConclusionSlide } from './conclusionSlide';
import { slideAfter } from './keys';
import { ModelSlide } from './modelSlide';
import { RemovedSlide } from './removedSlide';
import { RetrainingSlide } from './retrainingSlide';
import { type SlideId, slidesOf } from './slides';
import { TasksSlide } from './tasksSlide';
import { TextsSlide } from './textsSlide';

interface Props {
  /** Address of the report that is shown; in the laboratory the last slide makes a link. */
  link?: string;
  onClose: () => void;
}

export default function Presentation({ link, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const state = useStore(useContext(LabStoreContext));
  const slides = useMemo(() => slidesOf(state), [state]);
  const [chosen, setChosen] = useState<SlideId>('model');
  const close = useCallback(() => dialog.current?.close(), []);
  useFullScreen(dialog, close);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
    dialog.current?.focus();
  }, []);

  // A slide whose data is gone leaves the first one.
  const at = Math.max(0, slides.indexOf(chosen));
  const shown = slides[at] ?? 'model';
  const show = (index: number): void => setChosen(slides[Math.min(slides.length - 1, Math.max(0, index))] ?? 'model');
  const press = (event: KeyboardEvent): void => {
    const target = slideAfter(event, at, slides.length);
    // Space and Enter press the button that has the focus.
    if (target === null || (event.key === ' ' && event.target instanceof HTMLButtonElement)) return;
    event.preventDefault();
    show(target);
  };

  return (
    <dialog
      ref={dialog}
      className="full-screen present"
      aria-label="Slides"
      tabIndex={-1}
      onClose={onClose}
      onKeyDown={press}
    >
      <div className="present-stage">
        <Slide id={shown} {...(link === undefined ? {} : { link })} />
        <button type="button" className="zone before" tabIndex={-1} aria-hidden="true" onClick={() => show(at - 1)}>
          {at > 0 && <Icon name="before" />}
        </button>
        <button type="button" className="zone after" tabIndex={-1} aria-hidden="true" onClick={() => show(at + 1)}>
          {at < slides.length - 1 && <Icon name="after" />}
        </button>
        <nav className="present-nav" aria-label="Slides">
          {slides.map((id, index) => (
            <button
              type="button"
              key={id}
              className="dot"
              aria-label={`Slide ${index + 1}`}
              aria-current={index === at ? 'step' : undefined}
              onClick={() => show(index)}
            />
          ))}
          <span role="status">
            <span className="sr-only">Slide</span> {at + 1} / {slides.length}
          </span>
          <button type="button" className="leave" aria-label="Leave the slides (Escape)" onClick={close}>
            <Icon name="close" />
          </button>
        </nav>
      </div>
    </dialog>
  );
}

function Slide({ id, link }: { id: SlideId; link?: string }) {
  switch (id) {
    case 'model':
      return <ModelSlide />;
    case 'importance':
      return <ImportanceSlide />;
    case 'removed':
      return <RemovedSlide />;
    case 'quality':
      return <QualitySlide />;
    case 'speed':
      return <SpeedSlide />;
    case 'sides':
      return <SidesSlide />;
    case 'batches':
      return <BatchesSlide />;
    case 'retraining':
      return <RetrainingSlide />;
    case 'tasks':
      return <TasksSlide />;
    case 'texts':
      return <TextsSlide />;
    case 'conclusion':
      return <ConclusionSlide {...(link === undefined ? {} : { link })} />;
  }
}
