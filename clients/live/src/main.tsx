import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { CLOCK } from '@usher/client'
import '@fontsource-variable/source-sans-3'
import './styles/index.css'
import { App } from './App'
import { applyScheme } from './preferences'
import { Session } from './session/session'
import { browserTabs } from './session/tabs'

applyScheme()

// The library would put a style element here, which the content security policy refuses, unless something has this id.
// What it would say is in styles/base.css.
const placeholder = document.createElement('meta')
placeholder.id = 'react-aria-pressable-style'
document.head.append(placeholder)

const { origin } = location
const session = new Session({ origin, fetch: (...args) => fetch(...args), tabs: browserTabs(), now: CLOCK.now })
void session.restore()

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App parts={{ session, origin, clock: CLOCK, client: {} }} />
  </StrictMode>,
)
