// The bitstream is part of the codec: who imports `DeepFGS` has its headers, errors and identities too.
@_exported import DeepFGSBitstream
