export async function measureResponsiveness(): Promise<string> {
  return ''
}
