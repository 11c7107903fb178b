const CHARACTERS_MAX = 400;

/** Text from a file as one line of a message: control characters escaped, overlong text cut. */
export function printable(text: string): string {
  const cut = text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text;
  return cut.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
