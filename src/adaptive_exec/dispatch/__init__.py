"""DISPATCH: takes each call from acceptance to its future's end, by what routing decides."""
