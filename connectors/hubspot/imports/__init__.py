"""New contacts by imports, where batches would take more calls than are left today.

`ways` says when, `sheet` which contacts an import can carry and in which cells, `calls` has it carried out, `harvest` reads from an export what came of it, and
`passage` goes the whole way: a trial first, then the rest.
"""
