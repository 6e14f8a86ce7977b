import { useEffect, useId, useSyncExternalStore, type ReactNode } from 'react'
import { Dialog, Modal, ModalOverlay } from 'react-aria-components'
import type { User } from '@usher/client'
import { Details } from './Details'

const NARROW = '(max-width: 60rem)'

function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = matchMedia(NARROW)
      query.addEventListener('change', listener)
      return () => query.removeEventListener('change', listener)
    },
    () => matchMedia(NARROW).matches,
  )
}

export interface PanelProps {
  readonly id: string
  readonly known: User | undefined
  readonly close: () => void
}

/** Where details are shown: beside the list, or, where there is no room, over it. */
export function Panel({ id, known, close }: PanelProps): ReactNode {
  const isNarrow = useNarrow()
  const titleId = useId()
  const details = <Details id={id} known={known} close={close} titleId={titleId} />
  // biome-ignore lint/correctness/useExhaustiveDependencies: the details of another person are to have the focus as well
  useEffect(() => {
    if (!isNarrow) document.getElementById(titleId)?.focus({ preventScroll: true })
  }, [id, isNarrow, titleId])
  if (!isNarrow) {
    return (
      <aside className="panel" aria-labelledby={titleId}>
        {details}
      </aside>
    )
  }
  return (
    <ModalOverlay className="overlay sheet-overlay" isOpen isDismissable onOpenChange={(isOpen) => isOpen || close()}>
      <Modal className="sheet">
        <Dialog aria-labelledby={titleId}>{details}</Dialog>
      </Modal>
    </ModalOverlay>
  )
}
