"""The one error that a user is meant to read."""


class InputError(Exception):
    """Something that the user gave is wrong: a file, a column, a key or a value.

    Parameters
    ----------
    where : str
        The file or configuration key, with the column when there is one.
    found : str
        What was found there.
    remedy : str
        What the user can do about it.
    """

    def __init__(self, where: str, found: str, remedy: str = ""):
        self.where, self.found, self.remedy = str(where), found, remedy
        super().__init__(f"{where}: {found}" + (f". {remedy}" if remedy else ""))

    def __reduce__(self):
        # keeps the three parts when the error crosses a process border
        return type(self), (self.where, self.found, self.remedy)
