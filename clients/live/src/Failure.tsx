import { Component, type ReactNode } from 'react'
import { texts } from './texts'

interface Props {
  readonly children: ReactNode
}

/** What is shown instead of the page if a mistake in it breaks the drawing. */
export class Failure extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true }
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children
    return (
      <main className="instead">
        <div role="alert">
          <h1>{texts.failed.title}</h1>
          <p>{texts.failed.text}</p>
          <button type="button" className="button" onClick={() => location.reload()}>
            {texts.failed.reload}
          </button>
        </div>
      </main>
    )
  }
}
