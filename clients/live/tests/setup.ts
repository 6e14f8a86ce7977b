import { cleanup } from '@testing-library/react'
import { afterEach, beforeEach } from 'vitest'
import { choose } from '../src/preferences'

// React asks for this where act() is used outside of its own tools.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })

beforeEach(() => {
  localStorage.clear()
  history.replaceState(null, '', '/')
  choose({ scheme: 'system', keys: true })
})
afterEach(cleanup)
