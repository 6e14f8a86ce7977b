// React asks for this where act() is used outside of its own tools.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
