"""Creates empty files in a new directory and keeps them: `createfiles.py DIRECTORY COUNT`.

What that costs tells the state of the file system: right after as many files were removed, ext4 takes
several times as long.
"""

import os
import sys


def main() -> None:
    """Creates the files of the command line."""
    directory, count = sys.argv[1:]
    os.mkdir(directory)  # noqa: PTH102 - pathlib would be a good part of what is measured
    for number in range(int(count)):
        os.close(os.open(f"{directory}/{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


if __name__ == "__main__":
    main()
