/** What the page has to say apart from numbers. One notice per topic: a newer one takes the place of an older. */
export interface Notice {
  topic: string;
  code: string;
  message: string;
  /** `problem` waits for the user; `news` may be put away. */
  tone: 'problem' | 'news';
  action?: { label: string; run: () => void };
}

export class Notices {
  list = $state.raw<Notice[]>([]);

  say(notice: Notice): void {
    this.list = [...this.list.filter((n) => n.topic !== notice.topic), notice];
  }

  clear(topic: string): void {
    if (this.list.some((n) => n.topic === topic)) this.list = this.list.filter((n) => n.topic !== topic);
  }
}
