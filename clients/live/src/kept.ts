/** Small things that the browser keeps. Where it keeps nothing, the page does without. */
export function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Storage that is full or forbidden costs a comfort, nothing else.
  }
}
