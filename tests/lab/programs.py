"""Programs that the daemons run, and that write down how they were called."""

import os

GLOBAL = "global_defs {\n enable_script_security\n script_user root\n%s\n}\n"


class Scripts:
    """A folder of root's with programs that write down how they were called."""

    def __init__(self, lab):
        self.folder = lab.directory
        os.chmod(self.folder, 0o755)

    def program(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def recorder(self, name):
        """Adds a line with its name and arguments to the file of all recorders."""
        return self.program(name, f'echo "{name} $*" >> {self.folder}/called')

    def called(self):
        path = self.folder / "called"
        return path.read_text().splitlines() if path.exists() else []
