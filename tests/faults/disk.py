"""What a power loss may leave of the data folder, made of the shim's journal.

What was synced is there. Of the rest each page may be as it was at any moment since, or torn by sectors; a file's
length and the names in the folder are so, too. After a sync that failed, the pages that it should have written
count as written for the kernel: they are lost unless they are written again.
"""
import struct

PAGE, SECTOR = 4096, 512
FILE, MADE, WRITE, CUT, SYNC, SYNCED, LOST, RENAME, UNLINK = range(1, 10)
HEAD = struct.Struct("<IIQQ")


def journal(path):
    """The records (op, file, at, data); one that a kill has cut is left out."""
    data = path.read_bytes() if path.exists() else b""
    place = 0
    while place + HEAD.size <= len(data):
        op, file, at, length = HEAD.unpack_from(data, place)
        place += HEAD.size
        if place + length > len(data):
            return
        yield op, file, at, data[place:place + length]
        place += length


def put(content, at, data):
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(data)] = data


def cut(content, length):
    del content[length:]
    content.extend(bytes(length - len(content)))


class File:
    def __init__(self, content=b""):
        self.now, self.safe = bytearray(content), bytearray(content)
        self.pending = []  # (at, data), or (length, None) where it was cut, since the last sync
        self.lost = set()  # pages that no sync will write any more
        self.begun = 0     # of `pending`, when the sync under way began

    def write(self, at, data):
        for page in range(at // PAGE, (at + len(data) - 1) // PAGE + 1):
            if page in self.lost:  # it is written whole
                self.lost.remove(page)
                self.pending.append((page * PAGE, bytes(self.now[page * PAGE:(page + 1) * PAGE])))
        self.pending.append((at, data))
        put(self.now, at, data)

    def cut(self, length):
        self.pending.append((length, None))
        cut(self.now, length)

    def synced(self):
        for at, data in self.pending[:self.begun]:
            cut(self.safe, at) if data is None else put(self.safe, at, data)
        del self.pending[:self.begun]

    def sync_failed(self):
        for at, data in self.pending[:self.begun]:
            if data is None:
                cut(self.safe, at)
            else:
                self.lost.update(range(at // PAGE, (at + len(data) - 1) // PAGE + 1))
        del self.pending[:self.begun]

    def left(self, chance):
        """The content after a power loss."""
        if not self.pending:
            return bytes(self.safe)
        ops = self.pending
        reach = chance.randint(0, len(ops))  # how far the length has come
        length = len(self.safe)
        for at, data in ops[:reach]:
            length = at if data is None else max(length, at + len(data))
        content = bytearray(self.safe)
        cut(content, length)
        touched = {}
        for number, (at, data) in enumerate(ops):
            end = max(length, len(self.safe)) if data is None else at + len(data)
            for page in range(at // PAGE, max(at, end - 1) // PAGE + 1):
                touched.setdefault(page, []).append(number)
        written = chance.choice((0, chance.random()))  # of the pages, this share has come to the disk at all
        for page, numbers in touched.items():
            if chance.random() < written:
                self.leave_page(content, page, [ops[n] for n in numbers], chance)
        cut(content, length)
        return bytes(content)

    @staticmethod
    def leave_page(content, page, ops, chance):
        begin = page * PAGE
        torn = chance.random() < 0.3
        whole = chance.randint(0, len(ops))
        before = bytes(content[begin:begin + PAGE]).ljust(PAGE, b"\0")
        for sector in range(0, PAGE, SECTOR):
            piece = bytearray(before)
            for at, data in ops[:chance.randint(0, len(ops)) if torn else whole]:
                if data is None:
                    keep = min(max(at - begin, 0), PAGE)
                    piece[keep:] = bytes(PAGE - keep)
                else:
                    first, last = max(at, begin), min(at + len(data), begin + PAGE)
                    piece[first - begin:last - begin] = data[first - at:last - at]
            put(content, begin + sector, piece[sector:sector + SECTOR])


class Disk:
    """The folder as it was when the host started, all of it on disk; then what the journal tells."""

    def __init__(self, folder):
        self.folder = folder
        self.names = {p.name: File(p.read_bytes()) for p in folder.iterdir() if p.is_file()}
        self.safe_names = dict(self.names)
        self.changes = []  # of names: {name: file or None}, since the last sync of the folder

    def name(self, path):
        return path.decode()[len(str(self.folder)) + 1:]

    @staticmethod
    def apply(names, change):
        for name, file in change.items():
            if file:
                names[name] = file
            else:
                names.pop(name, None)

    def change(self, **names):
        self.changes.append(names)
        self.apply(self.names, names)

    def follow(self, records):
        files, syncs = {}, {}
        for op, number, at, data in records:
            if op == FILE:
                files[number] = self.names.get(self.name(data))  # None: the folder itself
            elif op == MADE:
                files[number] = File()
                self.change(**{self.name(data): files[number]})
            elif op == WRITE:
                files[number].write(at, data)
            elif op == CUT:
                files[number].cut(at)
            elif op == SYNC:
                syncs[number] = len(self.changes)
                if files[number]:
                    files[number].begun = len(files[number].pending)
            elif op == SYNCED and files[number]:
                files[number].synced()
            elif op == SYNCED:
                self.keep_names(syncs[number])
            elif op == LOST and files[number]:
                files[number].sync_failed()
            elif op == RENAME:
                old, new = (self.name(path) for path in data.split(b"\0"))
                self.change(**{old: None, new: self.names.get(old)})
            elif op == UNLINK:
                self.change(**{self.name(data): None})
        return self

    def keep_names(self, count):
        for change in self.changes[:count]:
            self.apply(self.safe_names, change)
        del self.changes[:count]

    def lose_power(self, chance):
        """Puts into the folder what is left."""
        self.keep_names(chance.randint(0, len(self.changes)))
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()
        for name, file in sorted(self.safe_names.items()):
            if not name.endswith("-shm"):  # made anew from the log
                path = self.folder / name
                path.write_bytes(file.left(chance))
                path.chmod(0o600)
