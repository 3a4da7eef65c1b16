import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Java script library "LienthongDigest", for the Java 1.5 or 6 of Domino 8.5: what LotusScript cannot compute. */
public class LienthongDigest {

    /** The SHA-256 of a file in lower-case hexadecimal digits. */
    public String sha256(String path) throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        InputStream stream = new FileInputStream(path);
        try {
            byte[] piece = new byte[65536];
            int length;
            while ((length = stream.read(piece)) > 0) {
                digest.update(piece, 0, length);
            }
        } finally {
            stream.close();
        }
        StringBuffer digits = new StringBuffer();
        byte[] value = digest.digest();
        for (int position = 0; position < value.length; position++) {
            digits.append(Integer.toString((value[position] & 0xff) + 0x100, 16).substring(1));
        }
        return digits.toString();
    }
}
